"""
What Windows is asked to do, in PowerShell 5.1 with its modules Storage and BitLocker.

Each script reads one JSON object from its standard input, so that no secret stands on a command
line, and answers with one line of JSON: `ok` true and a `value`, or `ok` false with `code` and
`message`. What it throws itself begins with a code and a colon.
"""

from __future__ import annotations

__all__ = ["FORMAT_DRIVE", "LIST_DISKS", "OPEN_VOLUME"]

_FRAME = r"""
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
[Console]::OutputEncoding = New-Object System.Text.UTF8Encoding $false
$request = [Console]::In.ReadToEnd() | ConvertFrom-Json
function Get-CleanSerial($disk) {
    return ("$($disk.SerialNumber)" -replace '\s', '').TrimEnd('.')
}
function Get-NamedDisk {
    $disk = Get-Disk -Number $request.number
    if ((Get-CleanSerial $disk) -ne $request.driveId -or $disk.Size -ne $request.sizeBytes) {
        throw "drive-other: disk $($request.number) is not the drive that was named"
    }
    return $disk
}
function Get-DataPartition($disk) {
    return Get-Partition -DiskNumber $disk.Number |
        Where-Object { $_.GptType -eq '{ebd0a0a2-b9e5-4433-87c0-68b6b72699c7}' -or
            $_.MbrType -eq 7 } |
        Sort-Object -Property Offset |
        Select-Object -First 1
}
function Get-Answer {
BODY
}
try {
    $answer = @{ ok = $true; value = (Get-Answer) }
    $status = 0
} catch {
    $message = "$($_.Exception.Message)"
    $code = "$($_.FullyQualifiedErrorId)"
    if ($message -match '^(?<code>[a-z-]+): (?<text>.*)$') {
        $code = $Matches.code
        $message = $Matches.text
    }
    $answer = @{ ok = $false; code = $code; message = $message }
    $status = 1
}
ConvertTo-Json -InputObject $answer -Depth 6 -Compress
exit $status
"""


def _script(body: str) -> str:
    return _FRAME.replace("BODY", body.strip("\n"))


LIST_DISKS = _script(r"""
    $kinds = @{}
    foreach ($physical in @(Get-PhysicalDisk)) {
        $kinds["$($physical.DeviceId)"] = "$($physical.MediaType)"
    }
    $disks = foreach ($disk in @(Get-Disk)) {
        $mounts = @(Get-Partition -DiskNumber $disk.Number -ErrorAction SilentlyContinue |
            Where-Object { $_.DriveLetter } |
            ForEach-Object { "$($_.DriveLetter):" })
        @{
            number = [int]$disk.Number
            path = "\\.\PhysicalDrive$($disk.Number)"
            serial = Get-CleanSerial $disk
            model = "$($disk.FriendlyName)".Trim()
            sizeBytes = [long]$disk.Size
            logicalSectorBytes = [int]$disk.LogicalSectorSize
            physicalSectorBytes = [int]$disk.PhysicalSectorSize
            bus = "$($disk.BusType)"
            media = $kinds["$($disk.Number)"]
            isSystem = [bool]($disk.IsBoot -or $disk.IsSystem)
            isReadOnly = [bool]$disk.IsReadOnly
            partitionStyle = "$($disk.PartitionStyle)"
            mounts = $mounts
        }
    }
    return @{ disks = @($disks) }
""")
"""Describes every disk. Asks for nothing."""


FORMAT_DRIVE = _script(r"""
    $disk = Get-NamedDisk
    if ($disk.IsBoot -or $disk.IsSystem) {
        throw "drive-of-system: Windows runs from disk $($disk.Number)"
    }
    if ($disk.PartitionStyle -ne 'RAW' -and -not $request.mayErase) {
        throw "drive-not-blank: disk $($disk.Number) has partitions"
    }
    if ($disk.IsOffline) { Set-Disk -Number $disk.Number -IsOffline $false }
    if ($disk.IsReadOnly) { Set-Disk -Number $disk.Number -IsReadOnly $false }
    if ($disk.PartitionStyle -ne 'RAW') {
        Clear-Disk -Number $disk.Number -RemoveData -RemoveOEM -Confirm:$false
    }
    Initialize-Disk -Number $disk.Number -PartitionStyle GPT -ErrorAction SilentlyContinue
    $partition = New-Partition -DiskNumber $disk.Number -UseMaximumSize -AssignDriveLetter
    $null = $partition | Format-Volume -FileSystem NTFS -AllocationUnitSize 4096 `
        -NewFileSystemLabel $request.label -Confirm:$false
    $mount = "$($partition.DriveLetter):"
    $null = Enable-BitLocker -MountPoint $mount -EncryptionMethod $request.encryptionMethod `
        -UsedSpaceOnly -SkipHardwareTest -RecoveryPasswordProtector `
        -RecoveryPassword $request.recoveryPassword -WarningAction SilentlyContinue
    for ($second = 0; $second -lt $request.patienceSeconds; $second++) {
        $volume = Get-BitLockerVolume -MountPoint $mount
        if ("$($volume.VolumeStatus)" -eq 'FullyEncrypted') { break }
        Start-Sleep -Seconds 1
    }
    return @{
        root = "$mount\"
        volumeStatus = "$($volume.VolumeStatus)"
        lockStatus = "$($volume.LockStatus)"
        encryptionMethod = "$($volume.EncryptionMethod)"
    }
""")
"""Erases the drive and makes it one encrypted NTFS volume.

Asks for `number`, `driveId`, `sizeBytes`, `label`, `encryptionMethod`, `recoveryPassword`,
`mayErase` and `patienceSeconds`."""


OPEN_VOLUME = _script(r"""
    $disk = Get-NamedDisk
    $partition = Get-DataPartition $disk
    if (-not $partition) {
        throw "volume-missing: disk $($disk.Number) has no data partition"
    }
    if (-not $partition.DriveLetter) {
        Add-PartitionAccessPath -DiskNumber $disk.Number `
            -PartitionNumber $partition.PartitionNumber -AssignDriveLetter
        $partition = Get-Partition -DiskNumber $disk.Number `
            -PartitionNumber $partition.PartitionNumber
    }
    $mount = "$($partition.DriveLetter):"
    $volume = Get-BitLockerVolume -MountPoint $mount
    if ("$($volume.LockStatus)" -eq 'Locked') {
        try {
            $null = Unlock-BitLocker -MountPoint $mount `
                -RecoveryPassword $request.recoveryPassword
        } catch {
            throw 'unlock-refused: the recovery password does not open the volume'
        }
        $volume = Get-BitLockerVolume -MountPoint $mount
    }
    return @{
        root = "$mount\"
        volumeStatus = "$($volume.VolumeStatus)"
        lockStatus = "$($volume.LockStatus)"
        encryptionMethod = "$($volume.EncryptionMethod)"
    }
""")
"""Unlocks the drive's volume and gives it a drive letter where it has none.

Asks for `number`, `driveId`, `sizeBytes` and `recoveryPassword`."""
