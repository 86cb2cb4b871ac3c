"""Runs the demo: `make demo`."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import sys

from demo import board

LOGDIR = pathlib.Path(__file__).parent / "logs"


def main() -> None:
    """Starts TensorBoard, feeds it, and leaves it running until Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # so that TensorBoard is ended then too
    shutil.rmtree(LOGDIR, ignore_errors=True)
    LOGDIR.mkdir()
    try:
        with board.tensorboard(LOGDIR) as (process, address):
            print(f"\n  The Filters tab: {address}#filterviz\n\n  Ctrl-C ends the demo.\n", flush=True)
            _feed()
            print("\nEverything is logged. TensorBoard goes on until Ctrl-C.", flush=True)
            _wait(process)
    except KeyboardInterrupt:
        print("\nEnded.")


def _feed() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    print("Loading TensorFlow and the pretrained network ...", flush=True)
    import tensorflow as tf

    from demo import digits, pretrained

    writer = tf.summary.create_file_writer(str(LOGDIR / "pretrained"))
    model = pretrained.load()
    pretrained.log_kernels(writer, model)
    print("pretrained: logged its 13 kernels", flush=True)
    digits.train(LOGDIR)
    pretrained.log_patterns(writer, model)
    writer.close()


def _wait(process: subprocess.Popen[bytes]) -> None:
    if process.wait():
        raise SystemExit(f"TensorBoard ended by itself: see {LOGDIR / 'tensorboard.txt'}")


if __name__ == "__main__":
    main()
