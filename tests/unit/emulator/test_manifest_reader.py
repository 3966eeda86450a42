import base64

import pytest

from offlineseed.emulator._manifest_reader import ManifestReader
from offlineseed.errors import ManifestError

HASH = "D6A9A933C8AAFC51E55AC0662B6E4D4A"
EXAMPLE = f"""<?xml version="1.0" encoding="UTF-8"?>
<DriveManifest Version="2014-11-01">
  <Drive>
    <DriveId>9WM35C2V</DriveId>
    <StorageAccountKey>AAAAAAAAAAAAAAAAAAAAAA==</StorageAccountKey>
    <ClientCreator>example</ClientCreator>
    <BlobList>
      <MetadataPath Hash="{HASH}">\\session1\\meta.xml</MetadataPath>
      <PropertiesPath Hash="{HASH}">\\session1\\props.xml</PropertiesPath>
      <Blob>
        <BlobPath>seed/a/ten &amp; more.bin</BlobPath>
        <FilePath>\\session1\\a\\ten.bin</FilePath>
        <Length>10</Length>
        <BlockList>
          <Block Offset="0" Length="6" Id="AAAAAA==" Hash=" {HASH.lower()}" />
          <Block Offset="6" Length="4" Id="AQAAAA==" Hash="{HASH}" />
        </BlockList>
      </Blob>
      <Blob>
        <BlobPath>$root/disk.vhd</BlobPath>
        <FilePath>\\session1\\b\\disk.vhd</FilePath>
        <ClientData>free text</ClientData>
        <Length>1536</Length>
        <ImportDisposition>no-overwrite</ImportDisposition>
        <PageRangeList><PageRange Offset="512" Length="512" Hash="{HASH}" /></PageRangeList>
        <MetadataPath Hash="{HASH}">\\own.xml</MetadataPath>
      </Blob>
    </BlobList>
  </Drive>
</DriveManifest>
"""


def read(text):
    return list(ManifestReader().read([text.encode()]))


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_read_example_in_any_pieces_gives_its_blobs(size):
    data = EXAMPLE.encode()
    reader = ManifestReader()
    one, two = reader.read(data[at : at + size] for at in range(0, len(data), size))
    assert (reader.version, reader.drive_id) == ("2014-11-01", "9WM35C2V")
    assert reader.storage_account_key.reveal() == "AAAAAAAAAAAAAAAAAAAAAA=="
    assert (one.container, one.name) == ("seed", "a/ten & more.bin")
    assert (one.length, one.disposition, one.is_page) == (10, "rename", False)
    assert [(p.offset, p.length, p.md5, p.block_id) for p in one.parts] == [
        (0, 6, HASH, "AAAAAA=="),
        (6, 4, HASH, "AQAAAA=="),
    ]
    assert one.metadata.path == "\\session1\\meta.xml"
    assert one.metadata.is_global
    assert (two.blob_path, two.disposition, two.is_page) == (
        "$root/disk.vhd",
        "no-overwrite",
        True,
    )
    assert (two.metadata.path, two.metadata.is_global) == ("\\own.xml", False)
    assert two.properties.is_global


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param('Offset="6"', 'Offset="7"', id="a gap between blocks"),
        pytest.param('Offset="6"', 'Offset="5"', id="blocks overlap"),
        pytest.param("<Length>10<", "<Length>11<", id="blocks do not cover the blob"),
        pytest.param("<Length>10<", "<Length>ten<", id="a length that is no number"),
        pytest.param("<Length>10</Length>", "", id="no length"),
        pytest.param("<Length>1536<", "<Length>1537<", id="a page blob off the grid"),
        pytest.param("<Length>1536<", "<Length>512<", id="a range past the end"),
        pytest.param('Id="AQAAAA=="', "", id="some blocks without ids"),
        pytest.param('Id="AQAAAA=="', 'Id="AQA="', id="ids of unequal length"),
        pytest.param('Id="AQAAAA=="', 'Id="A-A="', id="an id that is no Base64"),
        pytest.param("no-overwrite", "No-Overwrite", id="a disposition in the wrong case"),
        pytest.param("seed/a/ten &amp; more.bin", "seed", id="no blob name"),
        pytest.param("\\session1\\a\\ten.bin", "", id="no file path"),
        pytest.param(f'Hash="{HASH}">\\own', 'Hash="12">\\own', id="a hash that is none"),
        pytest.param("<DriveId>9WM35C2V</DriveId>", "", id="no drive id"),
        pytest.param("</DriveManifest>", "", id="the end missing"),
        pytest.param("?>\n<Drive", "?><!DOCTYPE x []><Drive", id="a doctype"),
    ],
)
def test_read_broken_is_refused(old, new):
    assert old in EXAMPLE
    with pytest.raises(ManifestError):
        read(EXAMPLE.replace(old, new, 1))


def test_read_block_of_more_than_four_mebibytes_is_refused():
    big = EXAMPLE.replace("<Length>10<", f"<Length>{6 + (4 << 20) + 1}<")
    with pytest.raises(ManifestError, match="4 MiB"):
        read(big.replace('Offset="6" Length="4"', f'Offset="6" Length="{(4 << 20) + 1}"'))


def test_read_md5_ids_are_taken():
    ids = [base64.b64encode(bytes([n]) * 19).decode() for n in (200, 201)]
    text = EXAMPLE.replace('AAAAAA==" H', ids[0] + '" H').replace("AQAAAA==", ids[1])
    assert [part.block_id for part in read(text)[0].parts] == ids
