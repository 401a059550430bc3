"""AdminService, put together from the methods of each noun."""

from __future__ import annotations

from absah.admin.v1 import admin_service_pb2_grpc
from absah_server.core.auditing import Auditor
from absah_server.core.availability import Availability
from absah_server.core.dead_letters import DeadLetters
from absah_server.core.jobs import JobOffice
from absah_server.core.models import ModelLife
from absah_server.core.purging import Purger
from absah_server.rpc.admin.audit import AuditMethods
from absah_server.rpc.admin.dead_letters import DeadLetterMethods
from absah_server.rpc.admin.documents import DocumentMethods
from absah_server.rpc.admin.jobs import JobMethods
from absah_server.rpc.admin.models import ModelMethods


class AdminServicer(
    ModelMethods,
    AuditMethods,
    DocumentMethods,
    JobMethods,
    DeadLetterMethods,
    admin_service_pb2_grpc.AdminServiceServicer,
):
    """Each base answers for one noun and names what it needs; a new noun is one more base."""

    def __init__(
        self,
        *,
        models: ModelLife,
        availability: Availability,
        auditor: Auditor | None = None,
        purger: Purger | None = None,
        jobs: JobOffice | None = None,
        dead_letters: DeadLetters | None = None,
    ) -> None:
        self.models = models
        self.availability = availability
        self.auditor = auditor
        self.purger = purger
        self.jobs = jobs
        self.dead_letters = dead_letters
