/* Sends an ERP file from /admin/data: picks, progress, what went wrong, on to the job's page. */
(function () {
  "use strict";

  const FORM = "upload-form";

  function formOf(element) {
    return element.closest("#" + FORM);
  }

  function fieldOf(form, name) {
    let field = form.querySelector(`input[type=file][name=${name}]`);
    if (!field) {
      field = document.createElement("input");
      field.type = "file";
      field.name = name;
      field.hidden = true;
      field.accept = form.querySelector(`[data-pick=${name}]`).dataset.accept;
      field.addEventListener("change", () => showPick(form, name));
      form.append(field);
    }
    return field;
  }

  function showPick(form, name) {
    const file = fieldOf(form, name).files[0];
    const button = form.querySelector(`[data-pick=${name}]`);
    button.querySelector("span:last-child").textContent = file ? file.name : button.dataset.words;
    button.classList.toggle("picked", Boolean(file));
    complain(form, "");
  }

  function complain(form, name) {
    const messages = JSON.parse(form.dataset.messages);
    form.querySelector(".upload-error").textContent = name ? messages[name] || messages.error : "";
  }

  function setBusy(form, busy) {
    form.querySelector("#upload-send").disabled = busy;
    form.querySelector("progress").hidden = !busy;
  }

  function showJob(id) {
    window.history.pushState({}, "", "/admin/data?job=" + id);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  }

  function forget(form) {
    form.querySelectorAll("input[type=file]").forEach(function (field) {
      field.value = "";
      showPick(form, field.name);
    });
  }

  function failureOf(request) {
    try {
      const error = JSON.parse(request.responseText).error;
      return "file" in error.fields ? "file" : error.code;
    } catch (_notOurs) {
      return "error";
    }
  }

  function finish(form, request) {
    setBusy(form, false);
    if (request.status !== 200) {
      complain(form, failureOf(request));
      return;
    }
    forget(form);
    showJob(JSON.parse(request.responseText).data.job_id);
  }

  function send(form) {
    const file = fieldOf(form, "file").files[0];
    if (!file) {
      return complain(form, "missing");
    }
    if (file.size > Number(form.dataset.maxBytes)) {
      return complain(form, "too_large");
    }
    const body = new FormData(form);
    if (!body.get("kind")) {
      body.delete("kind");
    }
    body.set("dry_run", "true");
    const request = new XMLHttpRequest();
    request.open("POST", form.getAttribute("action"));
    request.setRequestHeader("X-CSRFToken", form.dataset.token);
    request.upload.onprogress = function (event) {
      form.querySelector("progress").value = event.loaded / event.total;
    };
    request.onload = () => finish(form, request);
    request.onerror = function () {
      setBusy(form, false);
      complain(form, "broken");
    };
    complain(form, "");
    setBusy(form, true);
    request.send(body);
  }

  document.addEventListener("click", function (event) {
    const button = event.target.closest("[data-pick]");
    if (button && formOf(button)) {
      fieldOf(formOf(button), button.dataset.pick).click();
    }
  });

  document.addEventListener("submit", function (event) {
    if (event.target.id === FORM) {
      event.preventDefault();
      send(event.target);
    }
  });
})();
