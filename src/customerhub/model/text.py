"""Rules for text that more than one dialect keeps: email syntax, E.164, country codes. Syntax only, never a look-up."""

import re
from functools import lru_cache
from typing import Final

import email_validator

# ITU-T E.164: a plus, a country code that does not begin with 0, fifteen digits at most.
E164 = re.compile(r"\+[1-9][0-9]{1,14}")
# RFC 5321, 4.5.3.1.3: a path of 256 octets with its angle brackets.
EMAIL_LENGTH = 254

# What nearly all addresses look like, and the library takes without exception; it needs fifty times as long to say so.
_COMMON: Final = re.compile(
    r"(?=[^@]{1,64}@)[a-z0-9]+(?:[._+-][a-z0-9]+)*@(?=[^@]{1,253}\Z)"
    r"(?:[a-z0-9]{1,30}(?:-[a-z0-9]{1,30})?\.){1,4}[a-z]{2,30}",
    re.ASCII,
)
# The library refuses domains that the public mail system will never know (`.test`, `.local`). Records hold them all the
# same: this is a check of syntax, and nobody is written to. Emptying its list is the library's own way to say so.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

# ISO 3166-1 alpha-2, all 249 officially assigned codes.
_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW "
    "BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI "
    "FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN "
    "IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME "
    "MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF "
    "PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV "
    "SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE "
    "YT ZA ZM ZW"
)
COUNTRIES = frozenset(_CODES.split())


def is_email(text: str) -> bool:
    """Whether the text, trimmed, is an email address with a dotted domain; no domain is refused for its name."""
    trimmed = text.strip()
    # Before it is looked at and remembered: a megabyte would take a second, and the memory thousands of them.
    return len(trimmed) <= EMAIL_LENGTH and (_COMMON.fullmatch(trimmed) is not None or _is_address(trimmed))


@lru_cache(maxsize=8192)
def _is_address(text: str) -> bool:
    try:
        checked = email_validator.validate_email(
            text,
            check_deliverability=False,
            globally_deliverable=False,
            allow_quoted_local=True,
        )
    except email_validator.EmailNotValidError:
        return False
    return "." in checked.domain


def is_e164(text: str) -> bool:
    """Whether the text is a phone number in E.164 form, with nothing around it."""
    return E164.fullmatch(text) is not None
