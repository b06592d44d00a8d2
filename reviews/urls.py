"""Routes of the console."""

from django.urls import path

from reviews import views

app_name = "reviews"
urlpatterns = [
    path("", views.queue, name="queue"),
    path("next/", views.claim, name="claim"),
    path("items/<int:pk>/", views.item, name="item"),
    path("items/<int:pk>/picture/", views.picture, name="picture"),
    path("items/<int:pk>/look/", views.reveal, name="reveal"),
    path("items/<int:pk>/alive/", views.alive, name="alive"),
    path("items/<int:pk>/leave/", views.leave, name="leave"),
    path("items/<int:pk>/back/", views.release, name="release"),
    path("items/<int:pk>/answer/", views.decide, name="decide"),
    path("looks/<str:link>/", views.look, name="look"),
    path("approvals/", views.approvals, name="approvals"),
    path("approvals/<int:pk>/approve/", views.approve, name="approve"),
    path("approvals/<int:pk>/decline/", views.decline, name="decline"),
]
