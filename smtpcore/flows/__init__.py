"""Scripts over the machines, shared by all adapters; and what users of the adapters meet."""

from .error import Disconnected, FlowError, NoMechanism, NotProven, Refused, TlsNotOffered
from .handler import Handler, Refusal, Served, collecting
from .outcome import Outcome, RecipientOutcome, Status
from .pool import PoolLimits
from .turned import Letter

__all__ = [
    "Disconnected",
    "FlowError",
    "Handler",
    "Letter",
    "NoMechanism",
    "NotProven",
    "Outcome",
    "PoolLimits",
    "RecipientOutcome",
    "Refusal",
    "Refused",
    "Served",
    "Status",
    "TlsNotOffered",
    "collecting",
]
