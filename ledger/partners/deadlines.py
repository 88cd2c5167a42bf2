"""How long things about partners may take; whatever page or letter states a time reads it here.

A changed value holds for what begins later: a complaint keeps the day it was promised.
"""

from datetime import timedelta
from typing import Final

# The foundation answers a complaint.
ANSWER_WITHIN: Final = timedelta(days=30)
# The partner appeals, counted from the day of the decision.
APPEAL_WITHIN: Final = timedelta(days=60)
# The partner that leaves says so, counted from the day it says it.
ENDS_WITHIN: Final = timedelta(days=365)
# A certification lasts, unless its decision says otherwise.
CERTIFIED_YEARS: Final = 3
# A renewal takes its time: an application, a review, two signatures.
RENEWAL_WITHIN: Final = timedelta(days=90)
# Whoever let its certification run out so long ago is not reminded any more.
RENEWAL_GIVEN_UP_AFTER: Final = timedelta(days=365)
# What was decided stays on the first page of the office.
RECENTLY: Final = timedelta(days=90)
