"""What a user requested: settings files and flags checked, starter file, price, dry run."""
