"""Where a client probably is, from what its first mail shows; people correct it in `assistant clients`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_BY_TOP_LEVEL_DOMAIN = {
    "cn": ("CN", "Asia/Shanghai"),
    "hk": ("HK", "Asia/Hong_Kong"),
    "tw": ("TW", "Asia/Taipei"),
    "mo": ("MO", "Asia/Macau"),
    "sg": ("SG", "Asia/Singapore"),
    "uk": ("GB", "Europe/London"),
    "de": ("DE", "Europe/Berlin"),
    "fr": ("FR", "Europe/Paris"),
    "jp": ("JP", "Asia/Tokyo"),
    "kr": ("KR", "Asia/Seoul"),
    "au": ("AU", "Australia/Sydney"),
    "nz": ("NZ", "Pacific/Auckland"),
    "in": ("IN", "Asia/Kolkata"),
    "my": ("MY", "Asia/Kuala_Lumpur"),
    "us": ("US", "America/New_York"),
    "ca": ("CA", "America/Toronto"),
    "nl": ("NL", "Europe/Amsterdam"),
    "it": ("IT", "Europe/Rome"),
    "es": ("ES", "Europe/Madrid"),
    "ch": ("CH", "Europe/Zurich"),
}
_BY_DIALLING_CODE = {
    "86": "cn",
    "852": "hk",
    "886": "tw",
    "853": "mo",
    "65": "sg",
    "44": "uk",
    "49": "de",
    "33": "fr",
    "81": "jp",
    "82": "kr",
    "61": "au",
    "64": "nz",
    "91": "in",
    "60": "my",
    "1": "us",
    "31": "nl",
    "39": "it",
    "34": "es",
    "41": "ch",
}
_DIALLING_CODE = re.compile(r"(?:\+|\b00)(852|853|886|86|65|44|49|33|81|82|61|64|91|60|31|39|34|41|1)[\s()\-.]?\(?\d")
_BY_OFFSET = {
    -8.0: ("US", "America/Los_Angeles"),
    -7.0: ("US", "America/Denver"),
    -6.0: ("US", "America/Chicago"),
    -5.0: ("US", "America/New_York"),
    -4.0: ("US", "America/New_York"),
    0.0: ("GB", "Europe/London"),
    1.0: ("GB", "Europe/London"),
    2.0: ("DE", "Europe/Berlin"),
    5.5: ("IN", "Asia/Kolkata"),
    9.0: ("JP", "Asia/Tokyo"),
    10.0: ("AU", "Australia/Sydney"),
    11.0: ("AU", "Australia/Sydney"),
}


@dataclass(frozen=True, slots=True)
class Locality:
    """ISO 3166-1 country, IANA zone, and language (zh-Hans, zh-Hant, en)."""

    country: str
    timezone: str
    language: str


def guess_locality(
    addr_spec: str, signature: str, language: str, sent_at: datetime | None, agency: Locality
) -> Locality:
    """From the strongest sign to the weakest: country domain, dialling code, script, the clock of the writer's machine."""
    language = {"mixed": agency.language, "unknown": agency.language}.get(language, language)
    country_domain = addr_spec.rpartition(".")[2].lower()
    if known := _BY_TOP_LEVEL_DOMAIN.get(country_domain):
        return Locality(*known, language)
    if code := _DIALLING_CODE.search(signature):
        return Locality(*_BY_TOP_LEVEL_DOMAIN[_BY_DIALLING_CODE[code[1]]], language)
    if language == "zh-Hans":
        return Locality("CN", "Asia/Shanghai", language)
    if language == "zh-Hant":
        hong_kong = "香港" in signature or "Hong Kong" in signature
        return Locality(*_BY_TOP_LEVEL_DOMAIN["hk" if hong_kong else "tw"], language)
    offset = sent_at.utcoffset() if sent_at is not None else None
    # An offset of zero is what many servers write for everyone; with a non-UTC agency it says little.
    if offset and (found := _BY_OFFSET.get(offset / timedelta(hours=1))):
        return Locality(*found, language)
    return Locality(agency.country, agency.timezone, language)


_COMPANY_LINE = re.compile(
    r"^[\s|·•*]*((?:[\u3400-\u9fffA-Za-z0-9（）()·&\-]{2,40}?(?:有限责任公司|股份有限公司|有限公司|集团|集團|公司|事务所|工作室|基金会|博物馆|医院|学校))"
    r"|(?:[A-Z0-9][\w&.,'’\- ]{1,60}?\s(?:Inc|LLC|Ltd|Limited|GmbH|AG|PLC|plc|Pte\.? Ltd|Pty Ltd|Corp|Corporation|Group|Foundation|Company|Co)\.?))[\s|·,]*$",
    re.MULTILINE,
)


def client_name(addr_spec: str, display_name: str, signature: str, *, person: bool) -> str:
    """What to call a new client: the company in the signature, else its domain's own label; a person by name."""
    if person:
        return display_name or addr_spec.partition("@")[0]
    if match := _COMPANY_LINE.search(signature[:4000]):
        return match[1].strip(" ,.|·")
    domain = addr_spec.rpartition("@")[2]
    if line := _line_of_domain(signature, domain):
        return line
    labels = [
        label
        for label in domain.split(".")
        if label not in {"mail", "www", "corp", "com", "net", "org", "co", "gov", "edu"}
    ]
    return labels[-2] if len(labels) > 1 else (labels[0] if labels else domain)


def _line_of_domain(signature: str, domain: str) -> str:
    """The signature line that spells out the domain's own label: `Tern Insurance` for terninsurance.example."""
    label = max((re.sub(r"[^a-z0-9]", "", part) for part in domain.lower().split(".")[:-1]), key=len, default="")
    for line in signature[:4000].splitlines():
        line = line.strip(" \t|·•*,")
        if (
            len(label) < 4
            or len(line) > 60
            or "@" in line
            or "www." in line.lower()
            or "//" in line
            or f".{domain.rpartition('.')[2]}" in line
        ):
            continue
        spelled = re.sub(r"[^a-z0-9]", "", line.lower())
        if " " in line.strip() or any("\u3400" <= letter <= "\u9fff" for letter in line):
            if label in spelled:
                return line
        elif spelled == label:
            return line
    return ""
