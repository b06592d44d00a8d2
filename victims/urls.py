"""Routes of the hub. Addresses stay in a browser's history, so none of them says what this is about (T-03)."""

from django.urls import path

from victims import views

app_name = "victims"
urlpatterns = [
    path("", views.page("start"), name="start"),
    path("leave/", views.leave, name="leave"),
    path("leaving/", views.page("leaving"), name="leaving"),
    path("device/", views.page("device"), name="device"),
    path("about/", views.about, name="about"),
    path("who/", views.page("who"), name="who"),
    path("language/", views.language, name="language"),
    path("language/<slug:code>/", views.speak, name="speak"),
    path("help/", views.help_, name="help"),
    path("choose/", views.page("choose"), name="choose"),
    path("question/", views.age, name="age"),
    path("other/", views.other, name="other"),
    path("before/", views.page("before"), name="before"),
    path("first/", views.page("first"), name="first"),
    path("without/", views.page("without"), name="without"),
    path("make/", views.make, name="make"),
    path("make/<slug:name>.js", views.worker, name="worker"),
    path("number/", views.number, name="number"),
    path("number/kept/", views.leave_number, name="leave_number"),
    path("next/", views.next_steps, name="next"),
    path("open/", views.open_case, name="open"),
    path("lost/", views.page("lost"), name="lost"),
    path("quiet/", views.page("quiet"), name="quiet"),
    path("ready/", views.ready, name="ready"),
    path("now/", views.status, name="now"),
    path("stop/", views.stop, name="stop"),
    path("stopped/", views.page("stopped"), name="stopped"),
]
