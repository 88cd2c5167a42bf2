"""Tests of the room that knows HTTP."""
