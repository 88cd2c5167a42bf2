"""Partner life: the register, agreements, certifications, complaints, and the standing they give.

A day on which something begins (`revoked_on`, `ended_on`, `reinstated_on`) is the first day of the
new state; a last day (`valid_until`, `suspended_until`) still belongs to the old one.
"""
