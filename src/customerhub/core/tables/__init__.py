"""Files of rows: CSV, JSON Lines and XLSX, read one row at a time, whatever is in them."""
