"""The number of a French business and its premises, checked by both its control digits."""

from typing import Annotated

from pydantic import AfterValidator
from stdnum.exceptions import ValidationError
from stdnum.fr import siret as siret_standard


def checked(text: str) -> str:
    """Give the 14 digits of a SIRET, checked by both its control digits (INSEE).

    Its first nine are the SIREN, which the first control digit belongs to.
    """
    try:
        return siret_standard.validate(text)
    except ValidationError as invalid:
        raise ValueError("not a SIRET: 14 digits with a valid control digit") from invalid


Siret = Annotated[str, AfterValidator(checked)]
