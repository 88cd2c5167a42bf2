"""Card payments and their payouts: what Stripe says became of them, in our own words."""
