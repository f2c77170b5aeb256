"""Tables: CSV, Parquet, NPZ and data frames read into a `Dataset`."""
