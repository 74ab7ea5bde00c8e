"""What others write down: logins, the records of sensors, and every event that a Sigma rule asks about."""
