"""Layers: the stored options that count for a device, for a tag or for the installation, with opened secrets."""

from gateway.plugin_options.forms import Form
from gateway.plugin_options.model import INSTALLATION as NO_TAG
from gateway.plugin_options.registry import PluginForms
from gateway.plugin_options.resolve import DEVICE, INSTALLATION, TAG, Effective, Layer, Problem, resolve, unknown_names
from gateway.plugin_options.sealing import open_value, place_of_device, place_of_tag, seal_context
from gateway.plugin_options.store import Stored, StoredOptions
from gateway.secrets import SealBroken, SecretBox


class LayerReader:
    """Builds the layers of one plugin from stored options."""

    def __init__(self, forms: PluginForms, options: StoredOptions, box: SecretBox) -> None:
        self._forms, self._options, self._box = forms, options, box

    def installation(self, tenant_id: str) -> Layer:
        """What was set for the installation of a tenant."""
        stored = self._options.of_tags(tenant_id, self._forms.plugin).get(NO_TAG, Stored())
        return self._open(stored, tenant_id, place_of_tag(NO_TAG), INSTALLATION)

    def tag(self, tenant_id: str, tag: str) -> Layer:
        """What was set for the devices with a tag."""
        stored = self._options.of_tags(tenant_id, self._forms.plugin).get(tag, Stored())
        return self._open(stored, tenant_id, place_of_tag(tag), TAG, tag)

    def device(self, device_id: str) -> Layer:
        """What was set for a device. Raises KeyError for an unknown one."""
        stored = self._options.of_device(device_id, self._forms.plugin)
        tenant_id = self._options.devices[device_id].tenant_id
        return self._open(stored, tenant_id, place_of_device(device_id), DEVICE)

    def below_device(self, device_id: str) -> list[Layer]:
        """What a device inherits, the highest first: its tags in alphabetical order, then the installation."""
        device = self._options.devices[device_id]
        stored = self._options.of_tags(device.tenant_id, self._forms.plugin)
        tags = [self.tag(device.tenant_id, tag) for tag in device.tags if tag in stored]
        return [*tags, self.installation(device.tenant_id)]

    def resolve_installation(self, tenant_id: str) -> list[Effective]:
        """The effective options of the installation, in the order of the plugin's forms."""
        layer = self.installation(tenant_id)
        return [resolve(form, [layer]) for form in self._forms.forms_of(INSTALLATION)]

    def resolve_device(self, device_id: str) -> Effective:
        """The effective options of a device. Raises KeyError for an unknown one."""
        if self._forms.device is None:
            return Effective({}, {}, {})
        return resolve(self._forms.device, [self.device(device_id), *self.below_device(device_id)])

    def find_problems(self) -> list[Problem]:
        """What is stored for this plugin and not used, because it does not fit its schema."""
        found: list[Problem] = []
        plugin = self._forms.plugin
        for (tenant_id, name), stored in self._options.by_tag.items():
            if name == plugin:
                found += [
                    problem
                    for tag in stored
                    for problem in self.problems_of(
                        self.tag(tenant_id, tag) if tag != NO_TAG else self.installation(tenant_id)
                    )
                ]
        for device_id, name in self._options.by_device:
            if name == plugin and device_id in self._options.devices:
                found += self.problems_of(self.device(device_id))
        return found

    def problems_of(self, layer: Layer) -> list[Problem]:
        """What one layer holds and is not used."""
        forms = self._forms.forms_of(layer.level)
        found = [problem for form in forms for problem in resolve(form, [layer]).problems]
        return found + unknown_names(layer, *forms)

    def _open(self, stored: Stored, tenant_id: str, place: str, level: str, tag: str | None = None) -> Layer:
        values, problems = dict(stored.content), []
        forms = self._forms.forms_of(level)
        for name, sealed in stored.sealed.items():
            if (form := _form_with(name, forms)) is not None and name not in form.secrets:
                text = f"'{name}' was stored as a secret, which it is no longer: set it again"
                problems.append(Problem(name, level, tag, text))
                continue
            try:
                context = seal_context(tenant_id, self._forms.plugin, place, name)
                values[name] = open_value(self._box, sealed, context)
            except SealBroken:
                text = f"'{name}' can no longer be decrypted: put the former SECRET_KEY into PREVIOUS_SECRET_KEYS"
                problems.append(Problem(name, level, tag, f"{text}, or set it again"))
        return Layer(level, values, tag, tuple(problems))


def _form_with(name: str, forms: tuple[Form, ...]) -> Form | None:
    return next((form for form in forms if name in form.fields), None)
