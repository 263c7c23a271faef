"""Many accounts, from Parquet to Parquet."""
