"""
Offline seeding: a first full backup to Azure by shipped disk, then incrementals.
"""
