"""Every logged step: what there is, and one datum at a time."""

from tb_filterviz.store.cache import ByteCache as ByteCache
from tb_filterviz.store.filesource import EventFileSource as EventFileSource
from tb_filterviz.store.follower import Follower as Follower
from tb_filterviz.store.logdir import LogdirIndex as LogdirIndex
from tb_filterviz.store.provider import Memo as Memo
from tb_filterviz.store.provider import ProviderSource as ProviderSource
from tb_filterviz.store.series import Datum as Datum
from tb_filterviz.store.series import DatumGoneError as DatumGoneError
from tb_filterviz.store.series import Problem as Problem
from tb_filterviz.store.series import Series as Series
from tb_filterviz.store.series import Source as Source
from tb_filterviz.store.series import SourceUnavailableError as SourceUnavailableError
from tb_filterviz.store.series import spread as spread
from tb_filterviz.store.series import up_to as up_to
from tb_filterviz.store.store import Store as Store
