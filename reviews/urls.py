"""Routes of the console."""

app_name = "reviews"
urlpatterns: list = []
