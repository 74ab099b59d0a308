"""Sharing with a Dask cluster while a renewal is on its way to it: what a person did last is what the workers have."""

from __future__ import annotations

import threading

import pytest
from doubles import RecordingShow

from cuaws_magic.integrations import dask

A, B = "111111111111/MyRole", "222222222222/MyOtherRole"


class Cluster:
    """A client whose scheduler takes its time, where a test wants that."""

    def __init__(self):
        self.scheduler = type("Scheduler", (), {"address": "tcp://127.0.0.1:1"})
        self.workers = None
        self.slow, self.busy, self.go = False, threading.Event(), threading.Event()

    def register_plugin(self, plugin, name):
        if self.slow:
            self.busy.set()
            assert self.go.wait(10)
        self.workers = plugin.account

    def unregister_worker_plugin(self, name):
        self.workers = None

    def run(self, function, *_, **__):
        return {}


@pytest.fixture
def shared(app):
    """A cluster with account A, and a renewal for it that the scheduler is just working at."""
    cluster = Cluster()
    dask.share(app.context, RecordingShow(), cluster, A)
    cluster.slow = True
    follower = dask._CLUSTERS[cluster].follower
    renewal = threading.Thread(target=lambda: follower._update(follower.bound()))
    renewal.start()
    assert cluster.busy.wait(10)
    yield cluster, renewal
    dask._CLUSTERS.pop(cluster, None)


def released_soon(cluster):
    def go():
        cluster.slow = False
        cluster.go.set()

    threading.Timer(0.2, go).start()


def test_what_is_taken_back_does_not_come_again(app, shared):
    """`unshare` waits for the renewal, and then takes all of it back."""
    cluster, renewal = shared
    released_soon(cluster)

    dask.unshare(cluster)
    renewal.join()

    assert cluster.workers is None


def test_another_account_is_the_last(app, shared):
    """A cluster that is shared anew with B is not given A's renewal afterwards."""
    cluster, renewal = shared
    released_soon(cluster)

    dask.share(app.context, RecordingShow(), cluster, B)
    renewal.join()

    assert cluster.workers == "222222222222"
