"""Examples of JSON bodies for the OpenAPI document, by the name of the operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LETTER = {"name": "letter.txt", "content": "RGVhciBTaXIgb3IgTWFkYW0K"}
_AT = {"at": "2030-01-31T09:30:00Z"}
_NUMBER = "+493012345"
_CONTACT = {"first_name": "Ada", "last_name": "Byron", "company": "Analytical Engines"}
_COVER = {"html": "<h1>{{subject}}</h1><p>{{message}}</p>"}
_TRUNK = {"server": "sip.provider.example", "username": "acct4711", "country_code": "49"}
_ROUTE = {"dialled": ["+4930555"], "emails": ["sales@office.example"]}
_JUNK = {"caller": ["+4940777"]}
_PASSWORD = "correct horse battery"

EXAMPLES: Mapping[str, Any] = {
    "createFax": {"to": ["9990"], "files": [_LETTER], "metadata": {"order": "4711"}},
    "retryFax": _AT,
    "releaseFax": _AT,
    "settleFax": {"rule": "resend"},
    "resendFax": {"number": _NUMBER},
    "createFaxWithoutNumber": {"files": [_LETTER]},
    "giveNumbers": {"to": [_NUMBER]},
    "createPreview": {"files": [_LETTER], "quality": "fine"},
    "changePreview": {"quality": "standard"},
    "addToPreview": {"files": [_LETTER]},
    "changeReceived": {"read": True},
    "printReceived": {"printer": "Office"},
    "forwardReceived": {"to": [_NUMBER]},
    "forwardFax": {"to": [_NUMBER], "pages": ["1-3"]},
    "createFaxNote": {"text": "Dr. Byron calls back on Friday."},
    "createReceivedNote": {"text": "Answered by telephone."},
    "mailFax": {"to": "ada@office.example"},
    "practiceReceive": {"caller": "5551234"},
    "eraseNumber": {"number": _NUMBER},
    "makeBackup": {"passphrase": _PASSWORD, "received": True},
    "createDocument": {"name": "price list", "files": [_LETTER]},
    "createOffer": {"name": "100", "title": "Price list", "files": [_LETTER]},
    "orderRoutes": {"ids": [2, 1]},
    "orderLines": {"ids": [2, 1]},
    "createContact": {"number": _NUMBER, **_CONTACT},
    "changeContact": _CONTACT,
    "createGroup": {"name": "dentists", "contact_ids": [1, 2]},
    "changeGroup": {"contact_ids": [1]},
    "createCoverTemplate": {"name": "office", **_COVER},
    "changeCoverTemplate": _COVER,
    "createLineSettings": {"type": "sip", "name": "provider", **_TRUNK},
    "changeLineSettings": {"enabled": False},
    "createRoute": {"name": "sales", **_ROUTE},
    "changeRoute": _ROUTE,
    "createFavouritePrinter": {"contact_id": 1},
    "changeFavouritePrinter": {"name": "Dr. Byron"},
    "createJunkRule": {"name": "advertising", **_JUNK},
    "changeJunkRule": _JUNK,
    "previewCover": {"template": "standard", "subject": "Our offer"},
    "signIn": {"name": "ada", "password": _PASSWORD},
    "setUp": {"code": "7F3K-92MD", "name": "ada", "password": _PASSWORD},
    "changeOwnPassword": {"old": _PASSWORD, "new": f"{_PASSWORD} staple"},
    "changeSelf": {"language": "de"},
    "useApp": {"password": _PASSWORD, "secret": "JBSWY3DPEHPK3PXP", "code": "123456"},
    "dropApp": {"password": _PASSWORD},
    "createUser": {"name": "ada", "password": _PASSWORD, "role": "user", "email": "ada@office.example"},
    "changeUser": {"role": "reader", "reads_numbers": ["+4930555"]},
    "createKey": {"name": "shop", "scopes": ["send"], "webhook_url": "https://shop.example/faxes"},
    "changeKey": {"webhook_events": ["delivered", "failed"], "webhook_pdf": True},
    "lockDisk": {"opened_by": "passphrase", "passphrase": "nine white horses"},
    "testMail": {"to": "ada@office.example"},
    "testWebhook": {"url": "https://shop.example/faxes"},
    "mailReceived": {"to": "ada@office.example"},
    "makeCertificate": {"names": ["faxbox.local"]},
    "giveCertificate": {
        "certificate": "-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n",
        "key": "-----BEGIN PRIVATE KEY-----\nMIIB…\n-----END PRIVATE KEY-----\n",
    },
    "startHardwareTest": {"parts": ["storage", "lines"], "to": "+4930555"},
    "answerHardwareTest": {"answer": "yes"},
}
