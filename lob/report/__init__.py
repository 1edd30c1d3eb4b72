"""Reports: figures, tables and drawings of what analytics finds on a tape; nothing is computed here but places on a page."""
