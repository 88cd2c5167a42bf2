"""Tests of what happens when things break: the database, a connection, a process."""
