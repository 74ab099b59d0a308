"""What polars, obstore and icechunk ask for credentials: it lives as long as what holds it, and so does the renewal."""

from __future__ import annotations

import gc
import pickle

import pytest
from doubles import RecordingShow

from cuaws_magic.commands.sessions import credential_provider
from cuaws_magic.credentials import provider_functions
from cuaws_magic.errors import NoCredentials

ACCOUNT = "111111111111/MyRole"


@pytest.mark.parametrize("library", ["obstore", "polars"])
def test_its_renewal_ends_with_it(app, library):
    """An account that nothing holds any more is not renewed for ever."""
    before = set(app.credentials._bound)
    provider = credential_provider(app.context, RecordingShow(), ACCOUNT, library)
    (bound,) = set(app.credentials._bound) - before
    source = bound.source
    del bound
    assert source in {one.source for one in app.credentials._bound}

    del provider
    gc.collect()

    assert source not in {one.source for one in app.credentials._bound}


def test_it_is_found_again_in_its_own_process_only(app):
    """A pickle of it leads to the same provider here; in another process it says what to do."""
    provider = credential_provider(app.context, RecordingShow(), ACCOUNT, "icechunk")
    pickled = pickle.dumps(provider)

    assert pickle.loads(pickled) is provider
    assert b"SECRET" not in pickled
    provider_functions._PROVIDERS.clear()
    with pytest.raises(NoCredentials, match="Use the account in that process too"):
        pickle.loads(pickled)
