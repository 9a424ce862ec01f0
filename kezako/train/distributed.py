"""Distributed training with torchrun: several processes, on one machine or many.

    torchrun --nproc-per-node 2 --no-python kezako train NAME

Each process runs the training notebook. fastai's distributed context gives each process its share
of every batch and averages the gradients; only rank 0 gathers, cleans and exports.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from fastai.learner import Learner
from fastai.torch_core import num_distrib, rank_distrib
from torch import distributed

PATIENCE = timedelta(hours=6)  # rank 0 may be gathering pictures over a slow connection


def is_first() -> bool:
    """Whether this process is rank 0, which writes the results; True without torchrun."""
    return rank_distrib() == 0


def processes() -> int:
    """How many processes train together; 1 without torchrun."""
    return max(1, num_distrib())


def wait() -> None:
    """Wait until every process gets here. Call it before anything is put on a GPU."""
    if processes() == 1:
        return
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if on_gpu else "gloo", timeout=PATIENCE)
    distributed.barrier()


@contextmanager
def distributed_fit(learn: Learner) -> Iterator[Learner]:
    """Inside this block, a fit is shared by all processes; with one process it changes nothing."""
    if processes() == 1:
        yield learn
        return
    on_gpu = torch.cuda.is_available()
    if not on_gpu:
        from fastai.distributed import DistributedDL  # lazy: it needs accelerate

        DistributedDL._broadcast = _broadcast  # fastai's version needs a GPU
    with learn.distrib_ctx(sync_bn=on_gpu, cpu=not on_gpu):
        yield learn


def share(count: int) -> list[int]:
    """The indices of `count` rows that this process fills; all of them without torchrun."""
    return list(range(rank_distrib(), count, processes()))


def all_reduce_sum(rows: torch.Tensor) -> torch.Tensor:
    """The sum over all processes; each has filled its `share` of the rows and left the rest 0."""
    if processes() > 1:
        distributed.all_reduce(rows)
    return rows


def all_reduce_min(number: int) -> int:
    """The smallest number of any process."""
    found = torch.tensor(number, device="cuda" if torch.cuda.is_available() else "cpu")
    if processes() > 1:
        distributed.all_reduce(found, distributed.ReduceOp.MIN)
    return int(found)


def _broadcast(self: Any, values: list[int], rank: int) -> list[int]:
    sent = torch.tensor(values)
    distributed.broadcast(sent, rank)
    return list(sent.tolist())
