"""Compares latencies of our library and of others, side by side in one run.

Each system runs in a process of its own (``worker``), so that neither its packages nor its
threads meet those of another; ``worker_process`` talks to it. ``systems`` lists them, an
adapter per file. ``contest`` builds everything and checks the outputs, ``race`` takes turns,
``rows`` holds the result, ``table``, ``plot`` and ``report_page`` show it.
"""
