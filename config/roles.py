"""Which database role may do what: the grant matrix, as data. ``manage.py grant_roles`` applies it (T-49).

One role for each zone of production, so that a face that was broken into gives what that face handles and no more. The
keeper is no row here: it owns the tables, migrates, and runs the commands of an operator. Zones without a database
(decoder) have no role. What is not listed is not granted; no role may TRUNCATE, alter, or create anything.

Identity columns need no right on their sequence, so none is given.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

VERBS: Final = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}


@dataclass(frozen=True, slots=True)
class Rights:
    """What one role may do with one table.

    ``verbs`` are letters of ``VERBS``. ``select`` and ``update`` name the only columns that may be read or changed,
    ``hide`` the only ones that may not be read. To lock a row is to be allowed to change some column of it.
    """

    verbs: str
    select: str = ""
    hide: str = ""
    update: str = ""

    def allows(self, verb: str, column: str) -> bool:
        if verb not in self.verbs:
            return False
        if verb == "S":
            listed = not self.select or column in self.select.split()
            return listed and column not in self.hide.split()
        return verb != "U" or not self.update or column in self.update.split()

    def columns(self, verb: str, known: Collection[str]) -> list[str] | None:
        """The columns to grant; None for the whole table, as it is and as it may become."""
        narrowed = {"S": self.select or self.hide, "U": self.update}.get(verb)
        if not narrowed:
            return None
        return [column for column in known if self.allows(verb, column)]

    @property
    def named(self) -> set[str]:
        return set(f"{self.select} {self.hide} {self.update}".split())


@dataclass(frozen=True, slots=True)
class RowRule:
    """Which rows of a table a role may see and touch, and which it may write; the database adds it to each query.

    ``change`` and ``remove`` are for a role that sees more than it may change, or than it may take out.
    """

    using: str
    check: str = ""
    change: str = ""
    remove: str = ""

    @property
    def policies(self) -> Mapping[str, str]:
        """For each command that PostgreSQL tells apart, the condition on its rows."""
        added, changed = self.check or self.using, self.change or self.using
        if not self.change and not self.remove:
            return {"ALL": f"USING ({self.using}) WITH CHECK ({added})"}
        return {
            "SELECT": f"USING ({self.using})",
            "INSERT": f"WITH CHECK ({added})",
            "UPDATE": f"USING ({changed}) WITH CHECK ({changed})",
            "DELETE": f"USING ({self.remove or changed})",
        }


Matrix = Mapping[str, Mapping[str, Rights]]

_READING: Final = (
    "next_fetch_at fetched_at checkpoint quarantined_at waiting_count "
    "day_began_at day_base_count day_added_count released_count"
)
_WORK: Final = "work_state attempt_count next_attempt_at started_at done_at error_code"
# Every deed adds to the record, and whoever adds moves the chain's end. Only the console may read what was added:
# the number that a new entry got is all that the others need.
_RECORD: Final = {
    "moderation_auditentry": Rights("SI", select="id"),
    "moderation_audithead": Rights("SIU", update="number hash"),
}
# The column that tells whose session it is exists only where the roles do; see ROWS.
SESSION_OWNER: Final = "owner_role"
_SESSIONS: Final = {"django_session": Rights("SIUD", hide=SESSION_OWNER)}
# Deleting a fingerprint takes its confirmations and exceptions along, and empties the link of its matches.
_UNBANK: Final = {
    "moderation_bankcounter": Rights("SIU", update="number live_count checksum"),
    "moderation_bankwithdrawal": Rights("I"),
    "moderation_hashparent": Rights("SD", select="id child_id parent_id"),
    "moderation_hashopinion": Rights("SD", select="id banked_hash_id"),
    "moderation_hashconfirmation": Rights("SD", select="id banked_hash_id"),
    "moderation_hashexception": Rights("SD", select="id banked_hash_id"),
    "moderation_match": Rights(
        "SU", select="id banked_hash_id", update="banked_hash_id"
    ),
}
# What the banks do is told to the lists of the partners that it was shared with; their values are only written.
_LISTED: Final = "is_confirmed changed_second withdrawn_at"
_LISTS: Final = {
    "moderation_share": Rights("SD"),
    "moderation_listclock": Rights("SIU", update="second"),
    "moderation_listedhash": Rights("SIU", hide="value_sealed", update=_LISTED),
    "moderation_listedsource": Rights("SIU", update="withdrawn_second"),
}

_HUB: Final = {
    **_RECORD,
    **_SESSIONS,
    **_UNBANK,
    **_LISTS,
    "moderation_share": Rights("SID"),
    "victims_case": Rights(
        "SIU", update="state withdrawn_at band failed_tries last_opened_at"
    ),
    "victims_submittedhash": Rights("SID"),
    "victims_attempt": Rights("SIUD"),
    "victims_dailysalt": Rights("SI"),
    "moderation_platform": Rights("S", select="name is_active"),
    "moderation_hashbank": Rights("S"),
    # No value is ever read here: what a withdrawal takes out of the checksum is the row's mark.
    "moderation_bankedhash": Rights("SID", hide="value_sealed"),
}

_APPEALS: Final = {
    **_RECORD,
    **_SESSIONS,
    # The grant is locked while an appeal is lodged.
    "reviews_appealgrant": Rights("SU", update="created_at"),
    "reviews_decision": Rights("S", hide="private_notes"),
    "reviews_policy": Rights("S", hide="guidance"),
    # Neither what was seen nor by which of two means: an appellant must not learn of a fingerprint (T-16).
    "moderation_flag": Rights("S", hide="source priority priority_parts"),
    "moderation_content": Rights("S", hide="caption body_index"),
    "moderation_platform": Rights("S"),
    "moderation_platformaccount": Rights("S"),
    "moderation_enforcement": Rights(
        "S", select="id cause_ref action work_state approved_by_id"
    ),
    # A picture is kept for the second look; its key stays out of sight.
    "moderation_evidence": Rights(
        "SU", select="id content_id expires_at destroyed_at", update="expires_at"
    ),
    "moderation_notice": Rights("SI", hide="text_sealed"),
    "appeals_appeal": Rights("SI", hide="words_sealed"),
}

_API: Final = {
    **_RECORD,
    # A cookie that somebody sends along is looked up, and nothing is found: this face has no sessions.
    "django_session": Rights("S", hide=SESSION_OWNER),
    "moderation_platform": Rights("S"),
    "moderation_apikey": Rights("S"),
    "moderation_keybudget": Rights("SIU", update="full_at"),
    "moderation_platformaccount": Rights("SI"),
    "moderation_content": Rights("SI"),
    "moderation_evidence": Rights("SI", select="id name"),
    # A platform keeps banks of its own; ROWS says that it adds and takes out in no other.
    **_UNBANK,
    **_LISTS,
    # A partner reads its list.
    "moderation_listedhash": Rights("SIU", update=_LISTED),
    "moderation_listreading": Rights(
        "SIU", update="read_second read_at place zone_seconds"
    ),
    "moderation_hashbank": Rights(
        "SIU",
        update="slug name owner_id threshold review_threshold is_enabled enabled_percent",
    ),
    "moderation_bankedhash": Rights("SIUD", update="disabled_until demoted_at"),
    "moderation_hashopinion": Rights("SIUD", update="is_right given_at"),
    # Whether a bank follows a feed, and nothing else of it.
    "moderation_feed": Rights("S", select="id bank_id"),
    "moderation_hashexception": Rights("SD"),
    "moderation_bankwithdrawal": Rights("SI"),
    "moderation_idempotentcall": Rights("SIUD", update="status answer called_at"),
    "moderation_probemark": Rights("SI"),
    "moderation_probealarm": Rights("SIU", update="raised_at"),
}

_STAFF: Final = {
    **_RECORD,
    **_SESSIONS,
    **_UNBANK,
    **_LISTS,
    "moderation_auditentry": Rights("SI"),
    "moderation_user": Rights("SIU"),
    "moderation_user_groups": Rights("S"),
    "moderation_user_user_permissions": Rights("S"),
    "auth_group": Rights("S"),
    "auth_group_permissions": Rights("S"),
    "auth_permission": Rights("S"),
    "django_content_type": Rights("S"),
    "django_admin_log": Rights("SI"),
    "account_emailaddress": Rights("S"),
    "mfa_authenticator": Rights("SIUD"),
    "moderation_platform": Rights("SIU"),
    "moderation_platformaccount": Rights("S"),
    "moderation_content": Rights("S"),
    "moderation_evidence": Rights("S"),
    "moderation_fingerprint": Rights("S"),
    "moderation_detection": Rights("S"),
    "moderation_hashbank": Rights("SU"),
    # A decision banks the copy that it removed.
    "moderation_bankedhash": Rights("SIUD", update="standing", hide="value_sealed"),
    "moderation_hashparent": Rights("SID", select="id child_id parent_id"),
    "moderation_hashconfirmation": Rights("SID"),
    "moderation_hashexception": Rights("SIUD", update="pdq_sealed"),
    "moderation_match": Rights("SU", update="banked_hash_id"),
    # Counted for the operator.
    "moderation_probealarm": Rights("S", select="raised_at"),
    "moderation_flag": Rights("SU", update="resolved_at lease_epoch"),
    "moderation_enforcement": Rights(
        "SIU", update="work_state next_attempt_at approved_by_id approved_at"
    ),
    "moderation_notice": Rights("SI", hide="text_sealed"),
    "reviews_policy": Rights("S"),
    "reviews_claim": Rights("SIU", update="expires_at ended_at ended_why"),
    "reviews_reveal": Rights("SIU", update="served_at"),
    # What was decided, by whom and why is written once.
    "reviews_decision": Rights("SIU", update="overturned_at"),
    "reviews_sample": Rights("SU", update="is_right judged_by_id judged_at"),
    "reviews_appealgrant": Rights("SI"),
    "appeals_appeal": Rights(
        "SU",
        update="lease_epoch first_approver_id decided_by_id decided_at outcome reasoning",
    ),
    "appeals_appealclaim": Rights("SIU", update="expires_at ended_at ended_why"),
}

_WORKER: Final = {
    **_RECORD,
    **_LISTS,
    # What was withdrawn is forgotten once its partner has read of it.
    "moderation_listedhash": Rights("SIUD", hide="value_sealed", update=_LISTED),
    "moderation_listedsource": Rights("SIUD", update="withdrawn_second"),
    "moderation_listreading": Rights("S"),
    "django_session": Rights("SD", select="expire_date"),
    "moderation_platform": Rights("S"),
    "moderation_platformaccount": Rights("SU", update="state"),
    "moderation_content": Rights("SU", update=f"{_WORK} visibility refused_code"),
    "moderation_evidence": Rights("SU", update="expires_at wrapped_key destroyed_at"),
    "moderation_fingerprint": Rights("SID"),
    "moderation_detection": Rights("SI"),
    # It deletes what is left without its cause.
    **_UNBANK,
    "moderation_flag": Rights(
        "SIU", update="version priority priority_parts due_at resolved_at"
    ),
    "moderation_hashbank": Rights("S"),
    "moderation_bankedhash": Rights(
        "SIUD", update="look_back_id searched_at parked_why"
    ),
    # What partners give, and how far their lists were read; who is fetched from is the operator's to say.
    "moderation_feed": Rights("SU", update=_READING),
    "moderation_feedfetch": Rights(
        "SIUD", update=f"{_WORK} added_count withdrawn_count refused_count"
    ),
    "moderation_match": Rights("SIU", update="banked_hash_id"),
    "moderation_lookback": Rights("SIUD"),
    "moderation_bankwithdrawal": Rights("SID"),
    "moderation_hashexception": Rights("SD"),
    "moderation_hashconfirmation": Rights("SD"),
    "moderation_idempotentcall": Rights("SD", select="id called_at"),
    "moderation_probemark": Rights("SD", select="id asked_at"),
    "moderation_enforcement": Rights("SIU", update=_WORK),
    "moderation_notice": Rights("SIUD", update=_WORK),
    "reviews_claim": Rights("SU", update="ended_at ended_why"),
    # What a machine decides alone (T-21); see ROWS.
    "reviews_policy": Rights("S"),
    "reviews_decision": Rights("SI", hide="private_notes"),
    "reviews_appealgrant": Rights("SI", select="id"),
    "reviews_sample": Rights("SI"),
    # Once a day the band of each case, and every hour what has expired; never a number, a PIN or a network.
    "victims_case": Rights(
        "SU",
        select="id state opened_at band_minute band_refreshed_at",
        update="band band_refreshed_at",
    ),
    "victims_submittedhash": Rights("S", select="case_id source_ref"),
    "victims_attempt": Rights("SD", select="id expires_at"),
    "victims_dailysalt": Rights("SD", select="id day"),
}

MATRIX: Final[Matrix] = {
    "hub": _HUB,
    "appeals": _APPEALS,
    "api": _API,
    "staff": _STAFF,
    "worker": _WORKER,
}

_OWN: Final = RowRule(f"{SESSION_OWNER} = current_user")
_ALL: Final = RowRule("true")
_CASES: Final = "bank_id IN (SELECT id FROM moderation_hashbank WHERE kind = 'CASES')"
_PARTNER: Final = "kind = 'PARTNER'"
_PARTNERS: Final = (
    "bank_id IN (SELECT id FROM moderation_hashbank WHERE kind = 'PARTNER')"
)
# Rows, where columns are not enough. A session of the console is worth nothing to whoever reads the table through a
# public face; and through the hub or the API nobody plants a confirmed fingerprint, which alone can block (T-21). The
# API compares with all banks, and switches off, fills and empties those of platforms alone.
ROWS: Final[Mapping[str, Mapping[str, RowRule]]] = {
    "django_session": {
        "hub": _OWN,
        "appeals": _OWN,
        "api": _OWN,
        "staff": _OWN,
        "worker": RowRule("expire_date < now()"),
    },
    "moderation_bankedhash": {
        "hub": RowRule(_CASES, check=f"standing = 'CLAIMED' AND {_CASES}"),
        # An opinion may be about any of them.
        "api": RowRule(
            "true",
            check=f"standing = 'CLAIMED' AND {_PARTNERS}",
            remove=_PARTNERS,
        ),
        "staff": _ALL,
        # A feed's hashes are claims in a partner's bank, however a worker was talked into something else.
        "worker": RowRule(
            "true",
            check=f"standing = 'CLAIMED' AND {_PARTNERS}",
            change="true",
        ),
    },
    "moderation_hashbank": {
        "hub": _ALL,
        "api": RowRule(
            "true", check=f"automatic = 'HOLD' AND {_PARTNER}", change=_PARTNER
        ),
        "staff": _ALL,
        "worker": _ALL,
    },
    # A worker writes no answer in a person's name.
    "reviews_decision": {
        "appeals": _ALL,
        "staff": _ALL,
        "worker": RowRule("true", check="is_automatic"),
    },
}
