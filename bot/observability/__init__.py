"""The log and its metrics, as each home reads them."""
