"""What signatures tell: the company's name and what its people do."""

from __future__ import annotations

import pytest

from assistant.model.locality import client_name
from assistant.model.people import role_in


@pytest.mark.parametrize(
    ("signature", "role"),
    [
        ("Rosie Fenn\nMarketing Director\nFennick Oats", "Marketing Director"),
        ("林晓芸\n市场总监\n茗山茶业", "市场总监"),
        ("Wei Zhang | Head of Brand\n+86 21 5555 0100", "Head of Brand"),
        ("Anna\nanna@client.example", ""),
        ("陳小姐\n採購經理 | 山嵐溫泉", "採購經理"),
        ("林晓芸 市场总监", "市场总监"),
        ("Please ask my assistant.", ""),
    ],
)
def test_the_line_of_a_role_is_read_and_nothing_else(signature: str, role: str) -> None:
    assert role_in(signature) == role


@pytest.mark.parametrize(
    ("address", "signature", "name"),
    [
        ("a@tern-insurance.example", "Kelvin\nTern Insurance\nHong Kong", "Tern Insurance"),
        ("a@ferrymanshouse.example", "O. Graves\nThe Ferryman's House Museum", "The Ferryman's House Museum"),
        ("a@mingshan.example", "林晓芸\n杭州茗山茶业有限公司", "杭州茗山茶业有限公司"),
        ("a@mingshan.example", "林晓芸\nlin@mingshan.example", "mingshan"),
        ("a@mingshan.example", "www.mingshan.example", "mingshan"),
    ],
)
def test_a_company_is_called_what_its_signature_spells(address: str, signature: str, name: str) -> None:
    assert client_name(address, "A", signature, person=False) == name
