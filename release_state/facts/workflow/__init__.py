"""What a GitHub Actions workflow file says, read without running any of it (pure)."""
