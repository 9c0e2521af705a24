"""The few numbers about a GPU that schedules depend on.

They are the vendors' published ones, and for the second-level cache and the latency what others
measured; of a GPU that is not listed they are those of a similar one. Nothing here is measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tvm.target import Target

from tvm_patdnn.errors import TargetError

__all__ = ["GpuModel"]


@dataclass(frozen=True, kw_only=True)
class GpuModel:
    """A GPU as a schedule sees it; a multiprocessor is what shares one block's memory.

    Attributes:
        name: of the GPU that the numbers are of.
        kind: TVM's name of how it is programmed.
        lanes: of a warp.
        multiprocessors: of the GPU.
        issues: instructions of different warps that a multiprocessor begins in a cycle.
        products: float32 multiply-adds of a multiprocessor in a cycle.
        registers: of a multiprocessor, 32 bits each.
        thread_registers: that one thread can have.
        base_registers: of these, what a convolution's addresses and counters take: seen in the
            machine code of those that can be compiled here.
        threads: of a multiprocessor.
        block_threads: of a block, at most.
        shared_bytes: of a multiprocessor.
        block_shared_bytes: of a block, at most.
        gigahertz: cycles in a nanosecond.
        l2_size: bytes of the second-level cache.
        l2_bytes: that come from the second-level cache in a cycle, to all multiprocessors.
        memory_bytes: that come from memory in a cycle.
        latency: cycles from a load to its value from there.
        shares_memory: whether what blocks share is a memory of its own, nearer than the cache.
        tf32, fp16: multiply-adds of the tensor cores over ``products``, in those formats; 1
            where there are none.
    """

    name: str
    kind: str
    lanes: int
    multiprocessors: int
    issues: int
    products: int
    registers: int
    thread_registers: int
    threads: int
    block_threads: int
    shared_bytes: int
    block_shared_bytes: int
    gigahertz: float
    l2_size: int
    l2_bytes: int
    memory_bytes: int
    latency: int
    base_registers: int = 32
    shares_memory: bool = True
    tf32: float = 1.0
    fp16: float = 1.0

    @classmethod
    def from_target(cls, target: Target) -> GpuModel:
        """Describes the GPU of a target, best one made by ``resolve_target``.

        Raises:
            TargetError: the target is none of the GPUs that we have kernels for.
        """
        kind = target.kind.name
        if kind == "cuda":
            return _cuda(str(target.attrs.get("arch", "")))
        if kind == "metal":
            return _APPLE
        if kind == "opencl":
            return _opencl(target)
        raise TargetError(
            f"target kind '{kind}': no GPU that we have kernels for; expected 'opencl', 'cuda' or "
            "'metal'"
        )

    @property
    def peak(self) -> float:
        """Multiply-adds of the whole GPU in a microsecond."""
        return self.multiprocessors * self.products * self.gigahertz * 1000


_A100 = GpuModel(
    name="A100",
    kind="cuda",
    lanes=32,
    multiprocessors=108,
    issues=4,
    products=64,
    registers=65536,
    thread_registers=255,
    base_registers=42,
    threads=2048,
    block_threads=1024,
    shared_bytes=164 << 10,
    block_shared_bytes=48 << 10,
    gigahertz=1.41,
    l2_size=40 << 20,
    l2_bytes=3000,
    memory_bytes=1000,
    latency=600,
    tf32=8.0,
    fp16=16.0,
)
_H100 = replace(
    _A100,
    name="H100",
    multiprocessors=132,
    products=128,
    base_registers=32,
    shared_bytes=228 << 10,
    gigahertz=1.755,
    l2_size=50 << 20,
    l2_bytes=3300,
    memory_bytes=1700,
    latency=700,
    tf32=7.4,
    fp16=14.8,
)
_GAMING = replace(  # RTX 3080
    _A100,
    name="RTX 3080",
    multiprocessors=68,
    products=128,
    threads=1536,
    shared_bytes=100 << 10,
    gigahertz=1.71,
    l2_size=5 << 20,
    l2_bytes=1500,
    memory_bytes=440,
    tf32=1.0,
    fp16=4.0,
)
_TURING = replace(_GAMING, name="T4", multiprocessors=40, products=64, threads=1024, tf32=1.0)
_ADRENO = GpuModel(  # 640; the numbers of units are guesses from its published rate
    name="Adreno 640",
    kind="opencl",
    lanes=64,
    multiprocessors=2,
    issues=6,
    products=384,
    registers=49152,
    thread_registers=96,
    threads=1024,
    block_threads=512,
    shared_bytes=32 << 10,
    block_shared_bytes=32 << 10,
    gigahertz=0.6,
    l2_size=1 << 20,
    l2_bytes=128,
    memory_bytes=50,
    latency=400,
)
_MALI = GpuModel(  # G76 with 12 cores
    name="Mali-G76",
    kind="opencl",
    lanes=8,
    multiprocessors=12,
    issues=3,
    products=24,
    registers=24576,
    thread_registers=64,
    threads=768,
    block_threads=256,
    shared_bytes=32 << 10,
    block_shared_bytes=32 << 10,
    gigahertz=0.72,
    l2_size=2 << 20,
    l2_bytes=256,
    memory_bytes=40,
    latency=300,
    shares_memory=False,
)
_APPLE = replace(
    _ADRENO,
    name="Apple M1",
    kind="metal",
    lanes=32,
    multiprocessors=8,
    issues=4,
    products=128,
    registers=53248,
    thread_registers=128,
    block_threads=1024,
    gigahertz=1.28,
    l2_size=8 << 20,
    l2_bytes=512,
    memory_bytes=50,
)
_BY_ARCH = {"75": _TURING, "80": _A100, "86": _GAMING, "89": _GAMING, "90": _H100}


def _cuda(arch: str) -> GpuModel:
    number = "".join(each for each in arch if each.isdigit())
    if not number:
        raise TargetError(
            "target 'cuda': needs the architecture, as in 'cuda -arch=sm_80' (A100) or "
            "'cuda -arch=sm_90' (H100)"
        )
    older = [known for known in _BY_ARCH if int(known) <= int(number)]
    return _BY_ARCH[max(older, key=int)] if older else _TURING


def _opencl(target: Target) -> GpuModel:
    """Returns a phone's GPU, within the limits that the target states."""
    model = _MALI if target.attrs.get("device") == "mali" else _ADRENO
    attrs = target.attrs
    return replace(
        model,
        block_threads=min(model.block_threads, int(attrs.get("max_num_threads", 256))),
        block_shared_bytes=min(
            model.block_shared_bytes, int(attrs.get("max_shared_memory_per_block", 16 << 10))
        ),
    )
