#!/bin/sh
# Makes sure that there is a Chromium for the end-to-end tests.
set -eu
if command -v chromium > /dev/null; then
    exit 0
fi
if command -v apt-get > /dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update --quiet && apt-get install --quiet --yes chromium && exit 0
fi
echo "The end-to-end tests need Chromium, and it cannot be installed here. Install the package 'chromium'" \
    "(on Debian and Ubuntu: sudo apt-get install chromium), then run 'make test' again." >&2
exit 1
