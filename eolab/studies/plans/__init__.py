"""What runs next: plain trials, or ASHA with its promotions."""
