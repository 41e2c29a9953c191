"""Fully connected networks in compiled code: trained one at a time, in the processor's cache.

From the bottom up: ``simd`` (16 numbers at a time; ``simd_code`` is its LLVM code), ``layout`` (parameters in flat
arrays), ``products`` (the matrix product), ``passes`` (forward and backward), ``optimizer``, ``train``, ``noise`` and
``private`` (DP-SGD), ``bank`` (trained networks that answer together).
"""
