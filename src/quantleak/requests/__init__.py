"""What a user asked for: settings files and flags checked, starter file, price, dry run."""
