"""How fast the suite is, as ratios within one run: `python3 dev.py benchmark`."""
