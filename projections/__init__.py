"""Read models: disposable answers, rebuilt from the events at any time."""
