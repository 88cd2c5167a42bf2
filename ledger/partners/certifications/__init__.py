"""A partner's certification: earned by an application, decided by two people, dated, lost again.

One stream a partner holds its whole file: applications and renewals, sanctions, appeals. Each is a
case. A member of the committee proposes a decision on a case, another one approves or rejects it.
"""
