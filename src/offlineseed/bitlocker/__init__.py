"""
BitLocker volumes, written and read in pure Python: values, bytes and ciphers, no I/O.
"""

from __future__ import annotations

from offlineseed.bitlocker._recovery_password import RecoveryPassword

__all__ = ["RecoveryPassword"]
