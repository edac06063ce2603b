"""What the images rely on: archives that other tools read as meant, and the rules by which layers are merged."""

import io
import tarfile
import unittest

from imagekit import archive, conformance
from imagekit.archive import Entry


class ArchiveTest(unittest.TestCase):
    def test_members_are_read_back_as_written(self):
        long = "d" * 120 + "/" + "f" * 150
        entries = [
            archive.directory("folder", 0o1777, uid=7),
            Entry(long, content=b"content", uid=3_000_000, mtime=1_500_000_000),
            Entry("grüße", xattrs={"user.berth": b"value"}),
            Entry("hard", "hardlink", target=long),
            Entry("null", "character", 0o666, device=(1, 3)),
        ]
        with tarfile.open(fileobj=io.BytesIO(archive.tar(entries))) as opened:
            members = {member.name: member for member in opened}
            self.assertEqual(opened.extractfile(long).read(), b"content")
        self.assertEqual(list(members), [entry.path for entry in entries])
        self.assertTrue(members["folder"].isdir() and members["folder"].mode == 0o1777)
        self.assertEqual((members[long].uid, members[long].mtime), (3_000_000, 1.5))
        self.assertEqual(members["grüße"].pax_headers["SCHILY.xattr.user.berth"], "value")
        self.assertEqual(members["hard"].linkname, long)
        self.assertEqual((members["null"].devmajor, members["null"].devminor), (1, 3))

    def test_hard_links_follow_their_targets_and_the_last_of_two_wins(self):
        entries = [Entry("a", "hardlink", target="b"), Entry("b", content=b"1"), Entry("b", content=b"2")]
        self.assertEqual([(one.path, one.content) for one in archive.ordered(entries)], [("b", b"2"), ("a", b"")])


class MergeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.found = {one["path"].removeprefix("conformance/"): one for one in conformance.expected()}

    def test_whiteouts_hide_lower_layers_only(self):
        for path in ("changed/removed", "changed/removed-folder", "opaque/lower", "opaque/lower-folder", "recreated/lower", "hard/removed"):
            self.assertNotIn(path, self.found)
        for path in ("opaque/both", "recreated/upper", "hard/kept"):
            self.assertIn(path, self.found)

    def test_a_folder_listed_again_keeps_what_is_in_it(self):
        self.assertEqual(self.found["changed/only-mode"]["mode"], "0700")
        self.assertIn("changed/only-mode/kept", self.found)

    def test_names_of_one_inode_are_told(self):
        self.assertEqual(self.found["hard/a"]["inode"], self.found["hard/b"]["inode"])
        self.assertNotEqual(self.found["hard/a"]["inode"], self.found["hard/c"]["inode"])

    def test_parents_are_followed_through_links(self):
        self.assertIn("links/real-folder/through-the-link", self.found)


if __name__ == "__main__":
    unittest.main()
