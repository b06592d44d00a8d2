"""Evidence is ciphertext before it reaches storage, here on disk and on a real S3 protocol."""

import pytest
from cryptography.exceptions import InvalidTag
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import override_settings

from moderation import storage

PICTURE = b"a picture's bytes, planted marker 7f3a" * 50


@pytest.fixture(params=["disk", "s3"])
def evidence_store(request, settings, tmp_path):
    if request.param == "disk":
        backend = {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        }
    else:
        endpoint = request.getfixturevalue("s3_endpoint")
        backend = {
            **settings.STORAGES["evidence"],
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": "evidence",
                "endpoint_url": endpoint,
                "access_key": "test",
                "secret_key": "test",
                "region_name": "us-east-1",
                "file_overwrite": False,
                "client_config": request.getfixturevalue("s3_config"),
            },
        }
    with override_settings(STORAGES={**settings.STORAGES, "evidence": backend}):
        yield storages["evidence"]


class TestStoreFile:
    def test_opens_what_was_stored_and_stores_only_ciphertext(self, evidence_store):
        sealed = storage.store_file(PICTURE)

        with evidence_store.open(sealed.name) as file:
            raw = file.read()
        assert storage.open_file(sealed) == PICTURE
        assert b"planted marker" not in raw

    def test_cannot_be_opened_without_its_key(self, evidence_store):
        sealed = storage.store_file(PICTURE)
        shredded = storage.Sealed(sealed.name, b"", sealed.key_version)

        with pytest.raises(storage.EvidenceGone):
            storage.open_file(shredded)

    def test_notices_a_changed_byte(self, evidence_store):
        sealed = storage.store_file(PICTURE)
        with evidence_store.open(sealed.name) as file:
            raw = bytearray(file.read())
        raw[40] ^= 1
        evidence_store.delete(sealed.name)
        evidence_store.save(sealed.name, ContentFile(bytes(raw)))

        with pytest.raises(storage.EvidenceGone):
            storage.open_file(sealed)

    def test_notices_that_two_files_were_swapped(self, evidence_store):
        one, two = storage.store_file(PICTURE), storage.store_file(b"another")
        swapped = storage.Sealed(two.name, one.wrapped_key, one.key_version)

        with pytest.raises(storage.EvidenceGone):
            storage.open_file(swapped)

    def test_is_gone_after_destroy_twice(self, evidence_store):
        sealed = storage.store_file(PICTURE)

        storage.destroy(sealed.name)
        storage.destroy(sealed.name)

        with pytest.raises(storage.EvidenceGone):
            storage.open_file(sealed)


class TestSealedValues:
    def test_open_only_for_the_purpose_they_were_sealed_for(self):
        sealed = storage.seal_value(b"x" * 32, "bank")

        assert storage.open_value(sealed, "bank") == b"x" * 32
        with pytest.raises(InvalidTag):
            storage.open_value(sealed, "history")

    def test_seal_equal_values_differently(self):
        first = storage.seal_text("the same words", "notice")

        assert first != storage.seal_text("the same words", "notice")
        assert storage.open_text(first, "notice") == "the same words"

    def test_have_a_blind_index_that_depends_on_value_and_purpose(self):
        index = storage.blind_index(b"v" * 32, "pdq")

        assert index == storage.blind_index(b"v" * 32, "pdq")
        assert index != storage.blind_index(b"w" * 32, "pdq")
        assert index != storage.blind_index(b"v" * 32, "sha256")


class TestMany:
    def test_seals_each_as_one_is_sealed(self):
        values = [bytes([number]) * 32 for number in range(5)]

        sealed = storage.seal_values(values, "bank")

        assert [storage.open_value(each, "bank") for each in sealed] == values
        assert len({each[:12] for each in sealed}) == 5
        with pytest.raises(InvalidTag):
            storage.open_value(sealed[0], "history")

    def test_indexes_each_as_one_is_indexed(self):
        asked = [(b"a" * 32, "pdq"), (b"b" * 32, "pdq"), (b"a" * 32, "sha256")]

        assert storage.blind_indexes(asked) == [
            storage.blind_index(value, purpose) for value, purpose in asked
        ]
