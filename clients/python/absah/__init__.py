"""The Python client of Absah.

import absah

with absah.Client("127.0.0.1:50051") as client:
    validation = client.validate(
        "field-report", photo="evidence.jpg", report="report.txt", claims={"nik": "3201…"}
    )
print(absah.to_dict(validation)["verdict"]["decision"])
"""

from absah.administration import AdminClient
from absah.client import AsyncClient, Client
from absah.documents import Source, Text, request
from absah.errors import CallFailed
from absah.messages import to_dict

__all__ = [
    "AdminClient",
    "AsyncClient",
    "CallFailed",
    "Client",
    "Source",
    "Text",
    "request",
    "to_dict",
]
