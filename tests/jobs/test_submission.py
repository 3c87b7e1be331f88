"""From what a client sends to a job in the queue: the same for the page and REST."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from modules.errors import IdTaken, InvalidRequest, NotPermitted
from modules.jobs import submission
from modules.jobs.inputs.inputs import Inputs
from modules.jobs.intake import Intake
from modules.jobs.kinds.txt2img import TXT2IMG
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.rows import Actor
from modules.jobs.store.job_store import JobStore
from modules.jobs.submission import Checked, Sender, Wishes, check_request, submit
from modules.options import Settings
from tests.jobs.inputs.test_inputs import red
from tests.jobs.made_models import make_model
from tests.jobs.store.test_concurrency import at_once, outputs, start

HERE = Actor("me", "127.0.0.1")
GUEST = Actor("guest", "10.0.0.3", only_own=True)


@pytest.fixture
def catalogue(tmp_path: Path) -> CheckpointCatalogue:
    for name in ("whole", "broken"):
        make_model(tmp_path / "models" / "Stable-diffusion" / name)
    (tmp_path / "models" / "Stable-diffusion" / "broken" / "unet" / "config.json").unlink()
    return CheckpointCatalogue([tmp_path / "models"])


@pytest.fixture
def request_of_a_cat(catalogue: CheckpointCatalogue) -> Checked:
    return check_request("txt2img", {"prompt": "cat"}, catalogue, Settings(sd_model_checkpoint="whole"))


@pytest.mark.parametrize(
    ("kind", "data", "field", "message"),
    [
        ("txt2img", {"width": 100}, "width", "use 96 or 104"),
        ("txt2img", {"override_settings": {"sd_model_checkpoint": "gone"}}, "sd_model_checkpoint", "is not known"),
        ("txt2img", {}, "sd_model_checkpoint", "Checkpoint broken cannot be used"),
        ("txt2img", None, "request", "The request null is not an object: send the fields of txt2img."),
        ("dream", {}, "kind", 'Jobs of the kind "dream" are not known: use txt2img.'),
        ([], {}, "kind", r"Jobs of the kind \[\] are not known: use txt2img."),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_its_field(
    catalogue: CheckpointCatalogue, kind: Any, data: Any, field: str, message: str
) -> None:
    with pytest.raises(InvalidRequest, match=message) as refused:
        check_request(kind, data, catalogue, Settings(sd_model_checkpoint="broken"))
    assert refused.value.field == field


@pytest.fixture
def kind_of_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a txt2img request have a picture, and a folder of pictures, whatever it does with them."""
    kind = dataclasses.replace(TXT2IMG, inputs=("first_image",), folders=("input_dir",))
    monkeypatch.setattr(submission, "find_kind", lambda name: kind)


@pytest.fixture
def intake(store: JobStore, tmp_path: Path) -> Intake:
    return Intake(Inputs(tmp_path / "inputs"), store)


def test_a_folder_of_the_machine_is_not_for_guests(
    catalogue: CheckpointCatalogue, intake: Intake, kind_of_pictures: None
) -> None:
    settings = Settings(sd_model_checkpoint="whole")
    for by in (HERE, GUEST):
        check_request("txt2img", {"input_dir": " "}, catalogue, settings, Sender(intake, by))
    check_request("txt2img", {"input_dir": "/home/me"}, catalogue, settings, Sender(intake, HERE))
    with pytest.raises(NotPermitted, match="A folder of this machine is for those who log in"):
        check_request("txt2img", {"input_dir": "/home/me"}, catalogue, settings, Sender(intake, GUEST))


def test_a_guest_starts_from_outputs_of_his_own_alone(
    catalogue: CheckpointCatalogue, store: JobStore, intake: Intake, kind_of_pictures: None, tmp_path: Path
) -> None:
    settings = Settings(sd_model_checkpoint="whole")
    for owner in ("me", "guest"):
        store.queue.submit("txt2img", {}, owner, id=owner)
        image = store.images.reserve(owner, 0, seed=1, width=4, height=3, save=False)
        store.images.path_of(image).parent.mkdir(parents=True)
        store.images.path_of(image).write_bytes(red())
        store.images.complete(owner, 0, "")

    def start_from(job: str, index: int, by: Actor) -> None:
        data = {"first_image": f"/sdapi/v1/jobs/{job}/images/{index}.png"}
        check_request("txt2img", data, catalogue, settings, Sender(intake, by))

    for job in ("me", "guest"):
        start_from(job, 0, HERE)
    start_from("guest", 0, GUEST)
    told = []
    for job, index, by in (("me", 0, GUEST), ("nobody", 0, GUEST), ("nobody", 0, HERE)):
        with pytest.raises(InvalidRequest, match="There is no job") as refused:
            start_from(job, index, by)
        assert refused.value.field == "first_image"
        told.append(str(refused.value).replace(job, "X"))
    assert len(set(told)) == 1, "a guest is not told that there is one"
    with pytest.raises(InvalidRequest, match="has no picture 7"):
        start_from("guest", 7, GUEST)


def test_the_row_holds_the_whole_request_and_all_wishes(store: JobStore, request_of_a_cat: Checked) -> None:
    waits = submit(store, request_of_a_cat, Wishes("me"), HERE)
    job = submit(store, request_of_a_cat, Wishes("me", 3, True, "earlier"), HERE, "mine")
    assert (job.id, job.kind, job.owner) == ("mine", "txt2img", "me")
    assert (job.priority, job.forever, job.retry_of) == (3, True, "earlier")
    sent = request_of_a_cat.request
    assert {name: value for name, value in job.request.items() if name != "chosen"} == sent.model_dump(mode="json")
    assert set(job.request) == {*type(sent).model_fields, "chosen"}
    submit(store, request_of_a_cat, Wishes("me", replaces=waits.id), HERE)
    assert store.jobs.get(waits.id) is None


def test_the_same_id_is_one_job_unless_it_must_be_a_new_one(store: JobStore, request_of_a_cat: Checked) -> None:
    first = submit(store, request_of_a_cat, Wishes("me"), HERE, "mine", only_new=True)
    assert submit(store, request_of_a_cat, Wishes("me"), HERE, "mine") == first
    with pytest.raises(IdTaken, match="The id 'mine' is taken by another job: choose a new one, or send none"):
        submit(store, request_of_a_cat, Wishes("me"), HERE, "mine", only_new=True)
    assert store.jobs.page()[1] == 1


def test_a_guest_gets_at_no_job_of_others_by_its_id_and_comes_before_nobody(
    store: JobStore, request_of_a_cat: Checked
) -> None:
    submit(store, request_of_a_cat, Wishes("me"), HERE, "mine")
    with pytest.raises(IdTaken):
        submit(store, request_of_a_cat, Wishes("guest"), GUEST, "mine")
    assert submit(store, request_of_a_cat, Wishes("guest"), GUEST, "his") == submit(
        store, request_of_a_cat, Wishes("guest"), GUEST, "his"
    )
    with pytest.raises(NotPermitted, match="A priority is for those who log in"):
        submit(store, request_of_a_cat, Wishes("guest", 1), GUEST)


def test_of_threads_that_send_a_new_id_at_once_one_gets_it(store: JobStore, request_of_a_cat: Checked) -> None:
    def send() -> bool:
        try:
            submit(store, request_of_a_cat, Wishes("me"), HERE, "mine", only_new=True)
        except IdTaken:
            return False
        return True

    assert sorted(at_once([send] * 20)) == [False] * 19 + [True]
    assert store.jobs.page()[1] == 1


def test_of_processes_that_send_a_new_id_at_once_one_gets_it(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    JobStore(path).close()
    script = (
        "from modules.errors import IdTaken\n"
        "store = JobStore(path)\n"
        "for number in range(30):\n"
        "    try: store.queue.submit('txt2img', {}, 'me', id=str(number), only_new=True); print(number)\n"
        "    except IdTaken: pass\n"
    )
    got = outputs([start(script, path) for _ in range(3)])
    assert sorted(int(number) for one in got for number in one) == list(range(30))
