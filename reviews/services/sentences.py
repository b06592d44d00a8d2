"""Ready sentences for facts and reasons: they say nothing about who asked, what matched, or how near it was (T-16).

A decision keeps the English sentence; the statement shows it in the language of the account.
"""

from django.utils.translation import gettext_noop as _

FACTS: dict[str, str] = {
    "intimate_nude": _(
        "The post contains an image that shows a person naked or partly naked."
    ),
    "intimate_sexual": _(
        "The post contains an image of a person in a sexual situation."
    ),
    "intimate_private": _(
        "The post contains an image of a person in a private situation that is not normally shown to others."
    ),
    "intimate_text": _(
        "The post contains no image, but words about an intimate image of a person."
    ),
    "person": _(
        "A person can be recognised in it, or is pointed to by the words around it."
    ),
    "not_posted_by": _("Nothing shows that the person in the image published it here."),
    "words_against": _(
        "Words in the post or next to it show that the person did not agree."
    ),
    "covert": _(
        "The angle or the place shows that the person could not know that an image was taken."
    ),
    "channel": _(
        "Visible signs show that the image comes from a private message, call, account or device."
    ),
    "paid_place": _(
        "Visible signs show that the image was made for a place with limited access."
    ),
    "synthetic": _(
        "The image shows signs of having been made or changed by computer, or is called so in the post."
    ),
    "threat": _("The post says that an intimate image will be shared."),
    "demand": _(
        "The post demands something and uses an intimate image to press for it."
    ),
    "identity": _(
        "Data that make a person known or reachable stand next to the image."
    ),
    "trade": _("The post asks for, offers or links to such images."),
    "not_same": _("The image is not the one it was compared with."),
    "no_signs": _(
        "Neither the image nor the words around it show that a person did not agree."
    ),
}

# By policy, so that the form can propose one.
REASONS: dict[str, str] = {
    "ncii.shared": _(
        "The rule protects everyone's right to decide who sees intimate images of them. "
        "The signs named above show that this agreement is missing."
    ),
    "ncii.threat": _(
        "The rule forbids threats and demands that use intimate images, whether or not an image exists. "
        "The words named above are such a threat or demand."
    ),
    "ncii.synthetic": _(
        "The rule covers images made or changed by computer that show a real person in an intimate way. "
        "Agreement is missing, and the harm does not depend on whether the image is real."
    ),
    "ncii.covert": _(
        "An image taken in secret cannot rest on agreement. Sharing it is not allowed."
    ),
    "ncii.stolen": _(
        "Permission to see an image in private is not permission to publish it."
    ),
    "ncii.cultural": _(
        "The rule also covers images that expose a person in a way that they do not show to others. "
        "The signs named above show this, and agreement is missing."
    ),
    "ncii.doxxing": _(
        "Identity or contact data next to an intimate image put a person in danger. The rule does not allow it."
    ),
    "ncii.commercial": _(
        "Agreement to show an image in one place, or for payment, does not cover other places."
    ),
    "ncii.solicit": _(
        "Asking for, offering or trading such images leads to further sharing without agreement."
    ),
    "none.adult_consensual": _(
        "The rule applies when agreement is missing. No sign of this was found."
    ),
    "none.public_value": _(
        "The purpose can be seen in the post, the exposure is needed for it, "
        "and nobody is exposed against their will."
    ),
    "none.own_image": _(
        "The person in the image shares it. The rule protects this choice."
    ),
    "none.different_image": _(
        "The image is a different one. The rule was not broken by it."
    ),
    "none.not_intimate": _("The image is not intimate in the sense of the rule."),
}
