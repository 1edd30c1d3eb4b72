"""Reports: figures, tables and drawings of what analytics found. Numbers come in as frames; nothing is computed here but places on a page."""
