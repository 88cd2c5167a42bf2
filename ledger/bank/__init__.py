"""The bank: files read, transactions booked, each cent of them matched or on a list."""
