"""The collector: keeps what agents report, opens and grades incidents, keeps every statutory deadline."""
