"""The command `absah` and its subcommands, each imported only when it is called."""

from __future__ import annotations

from importlib import metadata

import click

from absah_ops.lazy import LazyGroup

COMMANDS = {
    "serve": ("absah_ops.serve:serve", "Serve validations over gRPC."),
    "worker": ("absah_ops.worker:worker", "Work at accepted validations, beside a server."),
    "validate": ("absah_ops.validate:validate", "Validate documents and claims."),
    "validations": ("absah_ops.validations:validations", "See what was accepted or recorded."),
    "check": ("absah_ops.check:check", "Run one checker on files, without a server."),
    "checkers": ("absah_ops.listing:checkers", "List checkers."),
    "policies": ("absah_ops.listing:policies", "List policies, or show one."),
    "models": ("absah_ops.models.group:models", "See models through their life."),
    "documents": ("absah_ops.documents:documents", "Upload, download and purge documents."),
    "jobs": ("absah_ops.jobs:jobs", "See to the work at accepted validations."),
    "reviews": ("absah_ops.reviews:reviews", "Decide what a policy left to a person."),
    "audit": ("absah_ops.audit:audit", "Show, verify and export the audit log."),
    "bridge": ("absah_ops.bridge:bridge", "Let legacy systems validate over RabbitMQ."),
    "dead-letters": ("absah_ops.dead_letters:dead_letters", "See to unanswered messages."),
    "triton": ("absah_ops.triton.command:triton", "Run a Triton server over the models."),
    "db": ("absah_ops.db:db", "Bring the database to this version's schema."),
    "doctor": ("absah_ops.doctor:doctor", "Say what is missing and how to mend it."),
    "demo": ("absah_ops.demo:demo", "Validate a report that is drawn for it."),
}
"""Where each command is, and its line of help, which must not need the import."""


@click.group(
    cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(metadata.version("absah"), prog_name="absah")
def main() -> None:
    """Validate reports, evidence photos, scanned letters and identity cards, and say why.

    Exit codes: 0 done, 1 failed, 2 wrong usage; `validate` exits 0 ACCEPT, 3 REVIEW, 4 REJECT.
    """
