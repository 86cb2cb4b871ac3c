"""What was logged as figures, animations, arrays and tables: see `figure.Figure`."""
