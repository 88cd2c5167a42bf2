"""What may happen in a town's ledger of gifts, and the durable record that it did."""
